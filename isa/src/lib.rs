//! MIPS instruction words to typed instructions and to text, for audits, errors and reports.
