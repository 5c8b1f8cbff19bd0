package dev.millrace.internal.delivery;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.deadletter.DeadLetterHeaders;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A mark counts on the record that it was made for, and on no other. */
class RedriveMarkTest {
  private static final RedriveMark MARK = new RedriveMark("billing", 2);
  private static final byte[] KEY = "customer-42".getBytes(UTF_8);
  private static final byte[] VALUE = "three of them".getBytes(UTF_8);

  private final Headers headers = new RecordHeaders();

  @Test
  void isReadBackFromItsRecord() {
    MARK.stamp("orders", KEY, VALUE, headers);

    assertThat(RedriveMark.isClaimed(headers)).isTrue();
    assertThat(RedriveMark.read("orders", KEY, VALUE, headers)).contains(MARK);
  }

  @Test
  void nullIsNotEmpty() {
    MARK.stamp("orders", null, null, headers);

    assertThat(RedriveMark.read("orders", null, null, headers)).contains(MARK);
    assertNone("orders", new byte[0], null);
    assertNone("orders", null, new byte[0]);
  }

  /** As a service makes it that copies the headers of what it reads to what it writes. */
  @Test
  void meansNothingOnAnotherRecord() {
    MARK.stamp("orders", KEY, VALUE, headers);

    assertNone("invoices", KEY, VALUE);
    assertNone("orders", "customer-43".getBytes(UTF_8), VALUE);
    assertNone("orders", KEY, "four of them".getBytes(UTF_8));
    assertNone("orders", VALUE, KEY);
  }

  @Test
  void meansNothingWhenAPartOfItIsChanged() {
    for (String name :
        new String[] {
          DeadLetterHeaders.REDRIVE_GROUP,
          DeadLetterHeaders.REDRIVES,
          DeadLetterHeaders.REDRIVE_CHECK
        }) {
      for (String text : new String[] {"", "3", "shipping", "ö"}) {
        MARK.stamp("orders", KEY, VALUE, headers);
        set(name, text.getBytes(UTF_8));
        assertNone("orders", KEY, VALUE);
      }
      MARK.stamp("orders", KEY, VALUE, headers);
      set(name, null);
      assertNone("orders", KEY, VALUE);
      headers.remove(name);
      assertNone("orders", KEY, VALUE);
    }
  }

  @Test
  void replacesAnEarlierOne() {
    new RedriveMark("shipping", 1).stamp("orders", KEY, VALUE, headers);
    MARK.stamp("orders", KEY, VALUE, headers);

    assertThat(headers.toArray()).hasSize(3);
    assertThat(RedriveMark.read("orders", KEY, VALUE, headers)).contains(MARK);
  }

  private void set(String name, byte @Nullable [] value) {
    headers.remove(name);
    headers.add(name, value);
  }

  private void assertNone(String topic, byte @Nullable [] key, byte @Nullable [] value) {
    assertThat(RedriveMark.read(topic, key, value, headers)).isEmpty();
  }
}
