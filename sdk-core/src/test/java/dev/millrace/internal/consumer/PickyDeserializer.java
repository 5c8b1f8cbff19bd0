package dev.millrace.internal.consumer;

import dev.millrace.errors.PayloadException;
import java.util.function.Predicate;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Takes some texts for no values. */
final class PickyDeserializer extends StringDeserializer {
  private final Predicate<String> bad;

  PickyDeserializer(Predicate<String> bad) {
    this.bad = bad;
  }

  @Override
  public String deserialize(String topic, byte[] data) {
    String value = super.deserialize(topic, data);
    if (bad.test(value)) {
      throw new PayloadException("not a value", null);
    }
    return value;
  }
}
