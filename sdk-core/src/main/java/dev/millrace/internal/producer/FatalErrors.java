package dev.millrace.internal.producer;

import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * After which failures a producer client fails every later record. Read from kafka-clients 4.3.1,
 * {@code TransactionManager}, which is there without transactions, too, and has one state from
 * which there is no way back.
 *
 * <p>Not among them, since the client helps itself by another epoch: {@code
 * OutOfOrderSequenceException}, {@code UnknownProducerIdException}, {@code
 * InvalidProducerEpochException}.
 */
final class FatalErrors {
  private FatalErrors() {}

  static boolean isFatal(Throwable failure) {
    return failure instanceof ProducerFencedException
        || failure instanceof InvalidPidMappingException
        || failure instanceof ClusterAuthorizationException
        || failure instanceof UnsupportedVersionException
        // Fatal when it meets the request for a producer id, else harmless; they look the same.
        || failure instanceof AuthenticationException
        // What the client says of its own state has no class of its own.
        || failure.getClass() == KafkaException.class;
  }
}
