package dev.millrace;

import dev.millrace.consumer.RecordContext;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/** What a handler was called with, and when. */
record SeenRecord(
    String value,
    TopicPartition partition,
    long offset,
    long timestamp,
    int attempt,
    List<Header> headers,
    long at) {

  static SeenRecord of(String value, RecordContext context) {
    return new SeenRecord(
        value,
        new TopicPartition(context.topic(), context.partition()),
        context.offset(),
        context.timestamp(),
        context.attempt(),
        List.of(context.headers().toArray()),
        System.currentTimeMillis());
  }
}
