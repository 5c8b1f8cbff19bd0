package dev.millrace.config;

/** What becomes of a record without a message id. */
public enum MissingId {
  /** Its handler is not called: it ends as one that can't be decoded does. */
  FAIL,

  /** It is handled each time it comes, since nobody can say whether it was before. */
  HANDLE
}
