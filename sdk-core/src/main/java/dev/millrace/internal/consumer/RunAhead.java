package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.offset.OffsetTracker;
import java.util.Collection;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one record that does not end from having its partition run ahead of it without bound.
 * Confined to the poll thread.
 */
final class RunAhead {
  private static final Logger LOG = LoggerFactory.getLogger(RunAhead.class);

  private final FlowControl flow;
  private final IntakeGate gate;
  private final boolean byOffsets;

  /**
   * @param byOffsets whether gaps between offsets count like records: where a commit must be able
   *     to name all that is done, whatever the pattern
   */
  RunAhead(FlowControl flow, IntakeGate gate, boolean byOffsets) {
    this.flow = flow;
    this.gate = gate;
    this.byOffsets = byOffsets;
  }

  void bound(Collection<AssignedPartition> partitions) {
    for (AssignedPartition partition : partitions) {
      TopicPartition name = partition.partition();
      OffsetTracker tracker = partition.tracker();
      int open = tracker.advance();
      if (byOffsets) {
        open = (int) Math.max(open, Math.min(Integer.MAX_VALUE, tracker.ahead()));
      }
      partition.unsaved(tracker.unsaved());
      if (gate.isHeld(name, PauseCause.TOO_FAR_AHEAD)) {
        if (flow.hasCaughtUp(open, tracker.unsaved())) {
          gate.release(name, PauseCause.TOO_FAR_AHEAD);
        }
      } else if (flow.isTooFarAhead(open, tracker.unsaved())) {
        gate.hold(name, PauseCause.TOO_FAR_AHEAD);
        LOG.warn(
            "No more of {} is taken for now: {} records were delivered since offset {}, which has not"
                + " ended; {} of them are done, but there is no room to say so in a commit.",
            name,
            open,
            tracker.oldestOpen(),
            tracker.unsaved());
      }
    }
  }
}
