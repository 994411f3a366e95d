


    // !!! This file is generated using emlearn !!!

    #include <stdint.h>
    

static inline int32_t forest_tree_0(const float *features, int32_t features_length) {
          if (features[7] < 0.055810f) {
              if (features[2] < 98.474998f) {
                  if (features[1] < 21.555000f) {
                      if (features[25] < 0.348550f) {
                          return 1;
                      } else {
                          if (features[18] < 0.012430f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      }
                  } else {
                      if (features[6] < 0.075590f) {
                          if (features[1] < 21.630000f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      } else {
                          if (features[9] < 0.061620f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  }
              } else {
                  if (features[11] < 1.436000f) {
                      return 0;
                  } else {
                      return 1;
                  }
              }
          } else {
              if (features[20] < 15.520000f) {
                  if (features[21] < 25.054999f) {
                      return 1;
                  } else {
                      return 0;
                  }
              } else {
                  if (features[22] < 103.750000f) {
                      return 1;
                  } else {
                      if (features[16] < 0.016965f) {
                          return 1;
                      } else {
                          if (features[22] < 109.450001f) {
                              if (features[25] < 0.372950f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 0;
                          }
                      }
                  }
              }
          }
        }
        

static inline int32_t forest_tree_1(const float *features, int32_t features_length) {
          if (features[22] < 109.850002f) {
              if (features[25] < 0.390400f) {
                  if (features[10] < 0.927600f) {
                      if (features[27] < 0.110850f) {
                          return 1;
                      } else {
                          if (features[6] < 0.036555f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[5] < 0.146500f) {
                      if (features[7] < 0.049070f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      if (features[3] < 619.900024f) {
                          return 0;
                      } else {
                          return 1;
                      }
                  }
              }
          } else {
              if (features[0] < 13.425000f) {
                  return 1;
              } else {
                  if (features[13] < 16.645000f) {
                      return 1;
                  } else {
                      if (features[26] < 0.220000f) {
                          if (features[8] < 0.152450f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      } else {
                          return 0;
                      }
                  }
              }
          }
        }
        

static inline int32_t forest_tree_2(const float *features, int32_t features_length) {
          if (features[7] < 0.055955f) {
              if (features[0] < 14.980000f) {
                  if (features[27] < 0.145600f) {
                      if (features[11] < 2.039500f) {
                          if (features[22] < 114.349998f) {
                              if (features[23] < 785.000000f) {
                                  return 1;
                              } else {
                                  return 1;
                              }
                          } else {
                              return 0;
                          }
                      } else {
                          if (features[28] < 0.198250f) {
                              if (features[28] < 0.194350f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 1;
                          }
                      }
                  } else {
                      if (features[0] < 10.684500f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              } else {
                  if (features[6] < 0.038720f) {
                      return 0;
                  } else {
                      if (features[14] < 0.004537f) {
                          return 1;
                      } else {
                          if (features[11] < 1.436000f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      }
                  }
              }
          } else {
              if (features[1] < 15.450000f) {
                  if (features[3] < 1029.350006f) {
                      if (features[20] < 18.145000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[6] < 0.082055f) {
                      return 1;
                  } else {
                      if (features[14] < 0.012635f) {
                          if (features[1] < 16.395000f) {
                              if (features[29] < 0.094295f) {
                                  return 0;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 0;
                          }
                      } else {
                          if (features[12] < 3.239000f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  }
              }
          }
        }
        

static inline int32_t forest_tree_3(const float *features, int32_t features_length) {
          if (features[23] < 874.850006f) {
              if (features[23] < 693.300018f) {
                  if (features[24] < 0.200000f) {
                      if (features[28] < 0.500100f) {
                          if (features[12] < 4.114500f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[29] < 0.092920f) {
                      if (features[0] < 13.450000f) {
                          if (features[12] < 1.929500f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      } else {
                          if (features[17] < 0.016945f) {
                              if (features[1] < 23.685000f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      return 0;
                  }
              }
          } else {
              if (features[6] < 0.073425f) {
                  if (features[1] < 19.884999f) {
                      return 1;
                  } else {
                      return 0;
                  }
              } else {
                  return 0;
              }
          }
        }
        

static inline int32_t forest_tree_4(const float *features, int32_t features_length) {
          if (features[2] < 98.755001f) {
              if (features[21] < 29.795000f) {
                  if (features[24] < 0.175750f) {
                      if (features[17] < 0.018140f) {
                          if (features[29] < 0.102350f) {
                              return 1;
                          } else {
                              if (features[23] < 725.750000f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          }
                      } else {
                          if (features[22] < 95.029999f) {
                              if (features[18] < 0.049125f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      if (features[0] < 10.548000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              } else {
                  if (features[6] < 0.098460f) {
                      if (features[10] < 0.451000f) {
                          if (features[11] < 1.035500f) {
                              if (features[7] < 0.024110f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              return 1;
                          }
                      } else {
                          if (features[4] < 0.089000f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      return 0;
                  }
              }
          } else {
              if (features[12] < 1.243500f) {
                  return 1;
              } else {
                  return 0;
              }
          }
        }
        

static inline int32_t forest_tree_5(const float *features, int32_t features_length) {
          if (features[2] < 98.084999f) {
              if (features[25] < 0.349150f) {
                  if (features[13] < 45.060001f) {
                      if (features[22] < 113.349998f) {
                          if (features[3] < 630.450012f) {
                              return 1;
                          } else {
                              if (features[29] < 0.093020f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          }
                      } else {
                          return 0;
                      }
                  } else {
                      if (features[8] < 0.196350f) {
                          return 0;
                      } else {
                          return 1;
                      }
                  }
              } else {
                  if (features[22] < 90.950001f) {
                      return 1;
                  } else {
                      if (features[27] < 0.158400f) {
                          if (features[23] < 751.200012f) {
                              return 1;
                          } else {
                              if (features[21] < 20.085000f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          }
                      } else {
                          return 0;
                      }
                  }
              }
          } else {
              if (features[19] < 0.001547f) {
                  return 1;
              } else {
                  if (features[22] < 113.150002f) {
                      if (features[16] < 0.039335f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              }
          }
        }
        

static inline int32_t forest_tree_6(const float *features, int32_t features_length) {
          if (features[6] < 0.086155f) {
              if (features[20] < 17.575000f) {
                  if (features[13] < 45.170000f) {
                      if (features[28] < 0.368700f) {
                          if (features[14] < 0.003349f) {
                              if (features[24] < 0.107950f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              if (features[20] < 16.490000f) {
                                  return 1;
                              } else {
                                  return 1;
                              }
                          }
                      } else {
                          return 0;
                      }
                  } else {
                      if (features[15] < 0.014580f) {
                          return 0;
                      } else {
                          return 1;
                      }
                  }
              } else {
                  if (features[11] < 1.436000f) {
                      if (features[24] < 0.099760f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 1;
                  }
              }
          } else {
              if (features[27] < 0.145400f) {
                  if (features[2] < 103.250000f) {
                      if (features[21] < 33.580000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[19] < 0.009384f) {
                      if (features[22] < 90.950001f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      if (features[22] < 91.455002f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              }
          }
        }
        

static inline int32_t forest_tree_7(const float *features, int32_t features_length) {
          if (features[22] < 110.500000f) {
              if (features[12] < 4.118500f) {
                  if (features[29] < 0.120250f) {
                      if (features[0] < 15.085000f) {
                          if (features[19] < 0.001323f) {
                              if (features[21] < 28.175000f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          } else {
                              if (features[4] < 0.122600f) {
                                  return 1;
                              } else {
                                  return 1;
                              }
                          }
                      } else {
                          if (features[18] < 0.020590f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      if (features[20] < 13.805000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              } else {
                  if (features[2] < 65.870001f) {
                      return 1;
                  } else {
                      return 0;
                  }
              }
          } else {
              if (features[13] < 33.605001f) {
                  if (features[1] < 18.435000f) {
                      if (features[29] < 0.089440f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[17] < 0.007980f) {
                      return 1;
                  } else {
                      if (features[6] < 0.054245f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              }
          }
        }
        

static inline int32_t forest_tree_8(const float *features, int32_t features_length) {
          if (features[20] < 15.520000f) {
              if (features[6] < 0.160350f) {
                  if (features[12] < 4.118500f) {
                      if (features[27] < 0.142000f) {
                          return 1;
                      } else {
                          if (features[6] < 0.095100f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[11] < 1.458000f) {
                      return 0;
                  } else {
                      if (features[27] < 0.185750f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              }
          } else {
              if (features[27] < 0.109300f) {
                  if (features[22] < 127.200001f) {
                      if (features[21] < 33.010000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              } else {
                  if (features[22] < 114.450001f) {
                      if (features[6] < 0.081330f) {
                          if (features[3] < 601.250000f) {
                              return 0;
                          } else {
                              if (features[24] < 0.129750f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          }
                      } else {
                          if (features[26] < 0.214100f) {
                              return 1;
                          } else {
                              if (features[21] < 20.320000f) {
                                  return 1;
                              } else {
                                  return 0;
                              }
                          }
                      }
                  } else {
                      return 0;
                  }
              }
          }
        }
        

static inline int32_t forest_tree_9(const float *features, int32_t features_length) {
          if (features[20] < 16.815001f) {
              if (features[23] < 710.200012f) {
                  if (features[24] < 0.190550f) {
                      if (features[25] < 0.408700f) {
                          return 1;
                      } else {
                          if (features[8] < 0.245000f) {
                              return 1;
                          } else {
                              return 0;
                          }
                      }
                  } else {
                      if (features[20] < 11.720000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  }
              } else {
                  if (features[9] < 0.065825f) {
                      if (features[7] < 0.050355f) {
                          if (features[0] < 13.560000f) {
                              return 0;
                          } else {
                              return 1;
                          }
                      } else {
                          if (features[11] < 1.043500f) {
                              return 0;
                          } else {
                              if (features[12] < 2.586000f) {
                                  return 0;
                              } else {
                                  return 1;
                              }
                          }
                      }
                  } else {
                      return 0;
                  }
              }
          } else {
              if (features[28] < 0.256200f) {
                  if (features[3] < 893.049988f) {
                      return 1;
                  } else {
                      return 0;
                  }
              } else {
                  if (features[1] < 14.895000f) {
                      if (features[0] < 15.110000f) {
                          return 1;
                      } else {
                          return 0;
                      }
                  } else {
                      return 0;
                  }
              }
          }
        }
        

int32_t forest_predict(const float *features, int32_t features_length) {

        int32_t votes[2] = {0,};
        int32_t _class = -1;

        _class = forest_tree_0(features, features_length); votes[_class] += 1;
    _class = forest_tree_1(features, features_length); votes[_class] += 1;
    _class = forest_tree_2(features, features_length); votes[_class] += 1;
    _class = forest_tree_3(features, features_length); votes[_class] += 1;
    _class = forest_tree_4(features, features_length); votes[_class] += 1;
    _class = forest_tree_5(features, features_length); votes[_class] += 1;
    _class = forest_tree_6(features, features_length); votes[_class] += 1;
    _class = forest_tree_7(features, features_length); votes[_class] += 1;
    _class = forest_tree_8(features, features_length); votes[_class] += 1;
    _class = forest_tree_9(features, features_length); votes[_class] += 1;
    
        int32_t most_voted_class = -1;
        int32_t most_voted_votes = 0;
        for (int32_t i=0; i<2; i++) {

            if (votes[i] > most_voted_votes) {
                most_voted_class = i;
                most_voted_votes = votes[i];
            }
        }
        return most_voted_class;
    }
    

int forest_predict_proba(const float *features, int32_t features_length, float *out, int out_length) {

        int32_t _class = -1;

        for (int i=0; i<out_length; i++) {
            out[i] = 0.0f;
        }

        _class = forest_tree_0(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_1(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_2(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_3(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_4(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_5(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_6(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_7(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_8(features, features_length); out[_class] += 1.0f;
    _class = forest_tree_9(features, features_length); out[_class] += 1.0f;
    
        // compute mean
        for (int i=0; i<out_length; i++) {
            out[i] = out[i] / 10;
        }
        return 0;
    }
    