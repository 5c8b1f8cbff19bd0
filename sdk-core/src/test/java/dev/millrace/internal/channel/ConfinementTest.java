package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ConfinementTest {

  @Test
  void theFirstThreadOwnsItAndAnyOtherIsNamed() throws Exception {
    Confinement confinement = new Confinement("The table");
    Thread owner = new Thread(confinement::check, "owner");
    owner.start();
    owner.join();

    assertThatThrownBy(() -> CompletableFuture.runAsync(confinement::check, Runnable::run).join())
        .hasRootCauseInstanceOf(IllegalStateException.class)
        .hasRootCauseMessage(
            "The table belongs to thread 'owner', but thread '%s' touched it."
                .formatted(Thread.currentThread().getName()));
  }

  @Test
  void theOwnerPassesAgainAndAgain() {
    Confinement confinement = new Confinement("The table");

    confinement.check();
    confinement.check();
  }
}
