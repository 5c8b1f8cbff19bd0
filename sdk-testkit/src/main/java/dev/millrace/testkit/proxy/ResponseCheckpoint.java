package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets each response meet the rule that its request met, on the way to the client. */
final class ResponseCheckpoint implements Checkpoint {
  private static final Logger LOG = LoggerFactory.getLogger(ResponseCheckpoint.class);

  /** Length and correlation id. */
  static final int HEAD_SIZE = 4 + 4;

  private final InFlight inFlight;
  private final Connection connection;
  private final Witness witness;

  ResponseCheckpoint(InFlight inFlight, Connection connection, Witness witness) {
    this.inFlight = inFlight;
    this.connection = connection;
    this.witness = witness;
  }

  @Override
  public Passage pass(Piece piece) throws InterruptedException {
    if (piece.kind() != Piece.Kind.FRAME_START) {
      return Passage.FREE;
    }
    InFlight.Sent sent = inFlight.answered(ByteBuffer.wrap(piece.bytes()).getInt(4));
    if (sent == null || sent.rule() == null) {
      return Passage.FREE;
    }
    FaultRule rule = sent.rule();
    sent.witnessed().await();
    if (rule.action() == FaultRule.Action.DROP_RESPONSE) {
      return drop(sent.request(), rule, piece);
    }
    return connection.clientLeft() ? undelivered(sent.request(), piece) : Passage.FREE;
  }

  private Passage drop(RequestHead request, FaultRule rule, Piece response) {
    witness.saw(What.RESPONSE_DROPPED, request, errors(request, response), "");
    rule.hit();
    if (rule.afterwards() == Afterwards.CUT) {
      connection.cut("a response to it was dropped");
    }
    return Passage.CLOSED;
  }

  private Passage undelivered(RequestHead request, Piece response) {
    witness.saw(What.UNDELIVERED, request, errors(request, response), "the client had left");
    return Passage.CLOSED;
  }

  private static Set<Errors> errors(RequestHead request, Piece response) {
    ApiKeys api = request.api();
    ByteBuffer frame = ByteBuffer.wrap(response.bytes());
    if (api == null || frame.getInt() != frame.remaining()) {
      return Set.of();
    }
    try {
      return AbstractResponse.parseResponse(frame, request.kafka(api)).errorCounts().keySet();
    } catch (RuntimeException e) {
      LOG.warn(
          "The response to {} can't be read; its event will not say what it holds", request, e);
      return Set.of();
    }
  }
}
