package dev.millrace.testkit.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * The part of a request's header that all versions have in common.
 *
 * @param api null for one that this Kafka client does not know
 * @param clientId null when the client has none
 */
record RequestHead(
    @Nullable ApiKeys api, short version, int correlationId, @Nullable String clientId) {
  /** Length, API key, version, correlation id and the length of the client id. */
  static final int SIZE = 4 + 2 + 2 + 4 + 2;

  /** Reads it from the beginning of a frame, which is at least {@link #SIZE} bytes long. */
  static RequestHead of(byte[] frame) {
    ByteBuffer bytes = ByteBuffer.wrap(frame).position(4);
    short api = bytes.getShort();
    short version = bytes.getShort();
    int correlationId = bytes.getInt();
    int length = Math.min(bytes.getShort(), bytes.remaining());
    return new RequestHead(
        ApiKeys.hasId(api) ? ApiKeys.forId(api) : null,
        version,
        correlationId,
        length < 0 ? null : new String(frame, SIZE, length, UTF_8));
  }

  /** What Kafka's own parser of responses wants to know; only for a known API. */
  RequestHeader kafka(ApiKeys known) {
    return new RequestHeader(known, version, clientId == null ? "" : clientId, correlationId);
  }

  @Override
  public String toString() {
    return api + " v" + version + " #" + correlationId + " of client '" + clientId + "'";
  }
}
