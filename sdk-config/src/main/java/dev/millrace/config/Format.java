package dev.millrace.config;

/** How a value becomes bytes and back. */
public enum Format {
  /** By the value's type: {@code byte[]} as bytes, {@code String} as string, all else as JSON. */
  AUTO,
  /** JSON by Jackson. */
  JSON,
  /** Text in UTF-8. */
  STRING,
  /** The bytes as they are. */
  BYTES
}
