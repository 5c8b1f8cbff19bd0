package dev.millrace.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Makes the keys and values of a workload. A value is JSON whose first two members have fixed
 * places and widths, so that they can be read without decoding it.
 */
final class Payload {
  private static final String SEQUENCE = "0".repeat(10);
  private static final String NANOS = "0".repeat(19);
  private static final String HEAD =
      "{\"sequence\":\"%s\",\"sent-nanos\":\"%s\",\"lines\":[".formatted(SEQUENCE, NANOS);
  private static final int SEQUENCE_AT = HEAD.indexOf(SEQUENCE);
  private static final int NANOS_AT = HEAD.indexOf(NANOS, SEQUENCE_AT + SEQUENCE.length());
  private static final String TAIL = "\"}";

  /** So that a kilobyte takes about 5 µs of CPU to decode; the note fills what is left. */
  private static final int BYTES_PER_LINE = 128;

  /** What a handler decodes. */
  record Order(String sequence, String sentNanos, List<Line> lines, String note) {}

  /** One article of an order. */
  record Line(String article, int quantity, long cents) {}

  private final Workload workload;
  private final byte[] template;

  Payload(Workload workload) {
    this.workload = workload;
    this.template = new byte[workload.valueBytes()];
    String lines =
        IntStream.range(0, workload.valueBytes() / BYTES_PER_LINE)
            .mapToObj(
                "{\"article\":\"article-%1$04d\",\"quantity\":%1$d,\"cents\":99%1$d}"::formatted)
            .collect(Collectors.joining(","));
    Arrays.fill(template, (byte) '.');
    put(HEAD + lines + "],\"note\":\"", 0);
    put(TAIL, template.length - TAIL.length());
  }

  private void put(String text, int at) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, template, at, bytes.length);
  }

  byte[] key(int sequence) {
    return ("key-" + workload.keyOf(sequence)).getBytes(StandardCharsets.US_ASCII);
  }

  byte[] value(int sequence, long sentNanos) {
    byte[] value = template.clone();
    write(sequence, value, SEQUENCE_AT, SEQUENCE.length());
    write(sentNanos, value, NANOS_AT, NANOS.length());
    return value;
  }

  static int sequence(byte[] value) {
    return (int) read(value, SEQUENCE_AT, SEQUENCE.length());
  }

  static long sentNanos(byte[] value) {
    return read(value, NANOS_AT, NANOS.length());
  }

  private static void write(long number, byte[] value, int at, int digits) {
    long left = number;
    for (int i = at + digits - 1; i >= at; i--) {
      value[i] = (byte) ('0' + left % 10);
      left /= 10;
    }
  }

  private static long read(byte[] value, int at, int digits) {
    long number = 0;
    for (int i = at; i < at + digits; i++) {
      number = 10 * number + value[i] - '0';
    }
    return number;
  }
}
