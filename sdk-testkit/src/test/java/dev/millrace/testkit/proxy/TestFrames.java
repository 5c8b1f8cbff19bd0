package dev.millrace.testkit.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;

/** Frames of Kafka's protocol, with anything behind the header. */
final class TestFrames {
  private TestFrames() {}

  static byte[] request(ApiKeys api, int correlationId, String clientId, byte[] body) {
    byte[] id = clientId.getBytes(UTF_8);
    return ByteBuffer.allocate(4 + 10 + id.length + body.length)
        .putInt(10 + id.length + body.length)
        .putShort(api.id)
        .putShort(api.oldestVersion())
        .putInt(correlationId)
        .putShort((short) id.length)
        .put(id)
        .put(body)
        .array();
  }

  static byte[] response(int correlationId, byte[] body) {
    return ByteBuffer.allocate(8 + body.length)
        .putInt(4 + body.length)
        .putInt(correlationId)
        .put(body)
        .array();
  }

  /** The response that brings a request's body back; the request without its length. */
  static byte[] echo(ByteBuffer request) {
    ByteBuffer frame = request.duplicate();
    int correlationId = frame.position(4).getInt();
    byte[] body = new byte[frame.position(10 + frame.getShort(8)).remaining()];
    frame.get(body);
    return response(correlationId, body);
  }
}
