package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import dev.millrace.internal.metrics.ConsumerMeters;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Q1: what a process's meters must say of its records. */
final class SimBooks {
  private final SimProcess process;
  private final MeterRegistry registry;

  /** By outcome; kept, since an engine that ends takes its meters away. */
  private final Map<String, Counter> counters = new HashMap<>();

  private int handled;
  private int deadLettered;
  private int doneBefore;

  /** Ended while a turn was under way, in which their partition may have been given up already. */
  private int handledInTurn;

  private int deadLetteredInTurn;

  SimBooks(SimProcess process) {
    this.process = process;
    this.registry = process.world.counts ? new SimpleMeterRegistry() : new CompositeMeterRegistry();
  }

  ConsumerMeters meters() {
    ConsumerMeters meters =
        new ConsumerMeters(registry, process.definition.name(), process.definition.groupId());
    if (process.world.counts) {
      for (String outcome : List.of("handled", "dead-lettered", "done-before")) {
        counters.put(
            outcome, registry.get("millrace.consumer.records").tag("outcome", outcome).counter());
      }
    }
    return meters;
  }

  /**
   * A handler's end counts.
   *
   * @param maybe whether the engine may count it or not
   */
  void handled(boolean current, boolean maybe) {
    if (process.inTurn || maybe) {
      handledInTurn++;
    } else if (current) {
      handled++;
    }
  }

  void deadLettered(boolean current) {
    if (process.inTurn) {
      deadLetteredInTurn++;
    } else if (current) {
      deadLettered++;
    }
  }

  void doneBefore() {
    doneBefore++;
  }

  void balance() {
    if (!process.world.counts) {
      return;
    }
    said("handled", handled, handledInTurn);
    said("dead-lettered", deadLettered, deadLetteredInTurn);
    said("done-before", doneBefore, 0);
  }

  private void said(String outcome, int least, int more) {
    double counted = requireNonNull(counters.get(outcome)).count();
    process.world.oracle.require(
        counted >= least && counted <= least + more,
        "Q1: ",
        process,
        " has counted ",
        counted,
        " records as ",
        outcome,
        ", but there were ",
        least,
        " to ",
        least + more);
  }
}
