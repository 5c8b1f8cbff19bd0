package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.DeliverySemantics;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a definition that was made by hand may not ask for. */
class ServiceHooksTest {
  private final InMemoryIdempotencyStore store = InMemoryIdempotencyStore.ofAtMost(1);

  /**
   * What the store calls done may be in a transaction that is aborted, and would never be again.
   */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AT_LEAST_ONCE")
  void idempotencyIsForAtLeastOnceOnly(DeliverySemantics semantics) {
    assertThatThrownBy(
            () ->
                ServiceHooks.NONE.idempotency(
                    TestDefinitions.idempotent(semantics), "group", store))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("Consumer 'engine-test'")
        .hasMessageContaining("'idempotency'")
        .hasMessageContaining(
            "'delivery-semantics: "
                + semantics.name().toLowerCase(Locale.ROOT).replace('_', '-')
                + "'");
  }

  @Test
  void atLeastOnceHasIt() {
    assertThat(
            ServiceHooks.NONE
                .idempotency(
                    TestDefinitions.idempotent(DeliverySemantics.AT_LEAST_ONCE), "group", store)
                .idempotency())
        .isNotNull();
  }
}
