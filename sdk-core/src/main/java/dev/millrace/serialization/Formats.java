package dev.millrace.serialization;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.config.Format;
import dev.millrace.errors.InvalidDefinitionException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** Chooses how values of a type become bytes and back. Immutable; any thread. */
public final class Formats {
  private final ObjectMapper mapper;

  /**
   * Creates the choice of formats.
   *
   * @param mapper writes and reads JSON; null takes one with the modules found on the classpath
   *     that ignores unknown properties, since a producer may add a field before its consumers know
   *     it
   */
  public Formats(@Nullable ObjectMapper mapper) {
    this.mapper =
        mapper != null
            ? mapper
            : JsonMapper.builder()
                .findAndAddModules()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
  }

  /**
   * Returns the serializer of a producer.
   *
   * @param format the definition's format
   * @param type the values' type; {@code Object} looks at each value's own class
   * @param producer the producer's name, for the error's text
   * @throws InvalidDefinitionException when the format can't hold the type
   */
  public <V> Serializer<V> serializer(Format format, Class<V> type, String producer) {
    return serde(format, type, "Producer '" + producer + "'").serializer();
  }

  /**
   * Returns the deserializer of a consumer.
   *
   * @param format the definition's format
   * @param type the values' type
   * @param consumer the consumer's name, for the error's text
   * @throws InvalidDefinitionException when the format can't hold the type
   */
  public <V> Deserializer<V> deserializer(Format format, Class<V> type, String consumer) {
    return serde(format, type, "Consumer '" + consumer + "'").deserializer();
  }

  /**
   * Returns the serializer of what a consumer's handlers send: of any value where the format holds
   * more than one class, else of the one that it holds. All others it refuses with a {@link
   * ClassCastException}.
   *
   * @param format the consumer's format
   * @param consumer the consumer's name, for the error's text
   */
  @SuppressWarnings("unchecked") // what is of another class is refused, as is said
  public Serializer<Object> outputs(Format format, String consumer) {
    Class<?> type =
        switch (format) {
          case STRING -> String.class;
          case BYTES -> byte[].class;
          case JSON, AUTO -> Object.class;
        };
    return (Serializer<Object>) serde(format, type, "Consumer '" + consumer + "'").serializer();
  }

  @SuppressWarnings("unchecked") // each cast follows a comparison of the class
  private <V> Serde<V> serde(Format format, Class<V> type, String owner) {
    return switch (format) {
      case JSON -> new JsonSerde<>(mapper, type);
      case STRING -> {
        require(type == String.class, format, type, owner);
        yield (Serde<V>) Serdes.String();
      }
      case BYTES -> {
        require(type == byte[].class, format, type, owner);
        yield (Serde<V>) Serdes.ByteArray();
      }
      case AUTO -> {
        if (type == String.class) {
          yield (Serde<V>) Serdes.String();
        }
        if (type == byte[].class) {
          yield (Serde<V>) Serdes.ByteArray();
        }
        yield type == Object.class
            ? (Serde<V>) new ByValueSerde(new JsonSerde<>(mapper, Object.class))
            : new JsonSerde<>(mapper, type);
      }
    };
  }

  private static void require(boolean fits, Format format, Class<?> type, String owner) {
    if (!fits) {
      throw new InvalidDefinitionException(
          owner
              + " has 'format: "
              + format.name().toLowerCase(java.util.Locale.ROOT)
              + "', which can't hold "
              + type.getTypeName()
              + "; use 'format: json' or 'auto', or another type.",
          null);
    }
  }
}
