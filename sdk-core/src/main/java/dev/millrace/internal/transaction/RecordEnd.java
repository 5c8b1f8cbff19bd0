package dev.millrace.internal.transaction;

import dev.millrace.internal.offset.OffsetTicket;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * How one record ends: its ticket is completed, and its outputs are sent.
 *
 * @param topic that it was read from
 * @param partition that it was read from
 * @param departure how the record leaves with it, by its one output; null when it does not
 * @param later told, once, only if the end had to wait
 */
public record RecordEnd(
    String topic,
    int partition,
    OffsetTicket ticket,
    List<ProducerRecord<byte[], byte[]>> outputs,
    @Nullable Departure departure,
    Later later) {

  /** Told, by whoever opens the slice, that an end that had to wait has taken effect. */
  public interface Later {
    /**
     * Called once, by any thread.
     *
     * @param completed false when the record was taken back before
     */
    void ended(boolean completed);
  }

  /** What became of an end. */
  public enum Effect {
    COMPLETED,
    TAKEN_BACK,
    LATER
  }
}
