/* A random forest that emlearn wrote as C (`train.py`; `forest.h` is its output, unchanged): is a tumour benign? Takes 30 measurements as
 * float32, gives the class (0 malignant, 1 benign) and how many trees in ten say benign. */
#include <opml.h>
#include <stdio.h>

#include "forest.h"

#define FEATURES 30

int main(void) {
  const float *features = opml_input_data(0, OPML_FLOAT32, FEATURES);
  int32_t label = forest_predict(features, FEATURES);
  float shares[2];
  forest_predict_proba(features, FEATURES, shares, 2);
  printf("%s, %.0f trees in 10 agree\n", label ? "benign" : "malignant", 10 * shares[label]);
  opml_output(OPML_INT32, 0, NULL, &label);
  opml_output(OPML_FLOAT32, 0, NULL, &shares[1]);
  return 0;
}
