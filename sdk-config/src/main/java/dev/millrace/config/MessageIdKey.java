package dev.millrace.config;

/** What of a record is its message's id. */
public enum MessageIdKey {
  /** A header, in which the message's producer has put it. */
  HEADER,

  /** The record's key, within its topic: for topics with one message for each key. */
  RECORD_KEY
}
