package dev.millrace.testkit.cluster;

import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;

/** Who may log in. Its password is never part of a text. */
record User(String name, Password password, SaslMechanism mechanism) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*");
  private static final int SCRAM_ITERATIONS = 4096;

  User {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "A user's name must match %s, not '%s'".formatted(NAME, name));
    }
    String secret = password.value();
    if (secret.isEmpty() || secret.chars().anyMatch(c -> c < ' ' || c > '~')) {
      throw new IllegalArgumentException(
          "The password of user '%s' must have one or more printable ASCII characters and no other"
              .formatted(name));
    }
  }

  /** The client's side of the login. */
  Password clientLogin() {
    return new Password(
        "%s required username=%s password=%s;"
            .formatted(mechanism.loginModule(), quoted(name), quoted(password.value())));
  }

  /** The broker's knowledge of this user for PLAIN. */
  String plainOption() {
    return "user_" + name + "=" + quoted(password.value());
  }

  /** The broker's knowledge of this user for SCRAM, in the words of {@code --add-scram}. */
  String scramArgument() {
    try {
      ScramFormatter formatter =
          new ScramFormatter(ScramMechanism.forMechanismName(mechanism.kafkaName()));
      byte[] salt = formatter.secureRandomBytes();
      byte[] salted = formatter.saltedPassword(password.value(), salt, SCRAM_ITERATIONS);
      return "%s=[name=%s,iterations=%d,salt=%s,saltedpassword=%s]"
          .formatted(mechanism.kafkaName(), name, SCRAM_ITERATIONS, base64(salt), base64(salted));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM lacks " + mechanism.kafkaName(), e);
    }
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
