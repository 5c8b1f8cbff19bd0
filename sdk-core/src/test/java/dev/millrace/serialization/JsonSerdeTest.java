package dev.millrace.serialization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.Format;
import dev.millrace.errors.PayloadException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSerdeTest {
  record Order(String id, int quantity) {}

  private final Deserializer<Order> orders =
      new Formats(null).deserializer(Format.AUTO, Order.class, "c");

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"quantity\": \"4111-SECRET\"}", "SECRET", "{\"id\": SECRET}", "[\"SECRET\"]"})
  void whatCanNotBeReadIsNotShownAnywhereInTheFailure(String payload) {
    assertThatThrownBy(() -> decode(payload))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("are not JSON of " + Order.class.getName())
        .satisfies(
            failure -> {
              StringWriter trace = new StringWriter();
              failure.printStackTrace(new PrintWriter(trace));
              assertThat(trace.toString()).doesNotContain("SECRET");
            });
  }

  @Test
  void aFieldThatTheTypeDoesNotKnowIsPassedOver() {
    assertThat(decode("{\"id\": \"o-1\", \"quantity\": 3, \"colour\": \"red\"}"))
        .isEqualTo(new Order("o-1", 3));
  }

  private Order decode(String payload) {
    return orders.deserialize("orders", payload.getBytes(StandardCharsets.UTF_8));
  }
}
