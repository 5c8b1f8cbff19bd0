package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.transaction.RecordEnd;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import dev.millrace.internal.transaction.Slices;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** How the end of a record takes effect, with what its handler has sent. Any thread. */
public interface RecordEnds {

  /** With the completion of its ticket; handlers send nothing. */
  RecordEnds AT_ONCE =
      new RecordEnds() {
        @Override
        public Effect end(
            Delivery delivery,
            List<ProducerRecord<byte[], byte[]>> outputs,
            RecordEnd.Later later) {
          return delivery.ticket().complete() ? Effect.COMPLETED : Effect.TAKEN_BACK;
        }

        @Override
        public @Nullable Outputs outputs(Delivery delivery) {
          return null;
        }

        @Override
        public boolean areTransactional() {
          return false;
        }

        @Override
        public void awaitTopic(Delivery delivery, String topic) {
          throw new IllegalStateException("There are no transactions.");
        }
      };

  /**
   * In the transaction that is open for its partition, or in the next one.
   *
   * @param serializer of the values that handlers send
   */
  static RecordEnds in(Slices slices, Serializer<Object> serializer) {
    return new RecordEnds() {
      @Override
      public Effect end(
          Delivery delivery, List<ProducerRecord<byte[], byte[]>> outputs, RecordEnd.Later later) {
        TopicPartition from = delivery.readFrom();
        return slices
            .of(from)
            .end(
                new RecordEnd(
                    from.topic(),
                    from.partition(),
                    delivery.ticket(),
                    outputs,
                    delivery.departure(),
                    later));
      }

      @Override
      public Outputs outputs(Delivery delivery) {
        return new Outputs(serializer, slices.of(delivery.readFrom())::awaitTopic);
      }

      @Override
      public boolean areTransactional() {
        return true;
      }

      @Override
      public void awaitTopic(Delivery delivery, String topic) {
        slices.of(delivery.readFrom()).awaitTopic(topic);
      }
    };
  }

  /**
   * Ends a record that runs.
   *
   * @param later called, once, only if this returns {@link Effect#LATER}; maybe before it returns
   */
  Effect end(
      Delivery delivery, List<ProducerRecord<byte[], byte[]>> outputs, RecordEnd.Later later);

  /** Returns what an attempt at a record sends into; null when it can't send anything. */
  @Nullable Outputs outputs(Delivery delivery);

  /** Whether what is sent with an end is there exactly if the end is. */
  boolean areTransactional();

  /**
   * Waits until the brokers have told of a topic that is written to with the end of a record.
   *
   * @throws RuntimeException when it is not there, or may not be seen
   */
  void awaitTopic(Delivery delivery, String topic);
}
