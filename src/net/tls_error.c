#include "net/tls_impl.h"

#include "base/buf.h"

#include <errno.h>
#include <openssl/err.h>

enum { QUEUE_TEXT_MAX = 1000 };

struct known {
	int reason;
	enum err_kind kind;
	const char *text;
};

/* What people meet, in their words; the rest in OpenSSL's. */
static const struct known known[] = {
	/* Somebody may have cut off a stream: never the same as its end. */
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, ERR_NETWORK,
	  "the connection was cut off: it ended without the farewell of TLS" },
	{ SSL_R_WRONG_VERSION_NUMBER, ERR_PROTOCOL,
	  "what the peer sends is not TLS: is its transport of type tls, too?" },
	{ SSL_R_HTTP_REQUEST, ERR_PROTOCOL, "the peer speaks HTTP, not TLS" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, ERR_PROTOCOL,
	  "the peer offers neither TLS 1.2 nor TLS 1.3" },
	{ SSL_R_NO_SHARED_CIPHER, ERR_PROTOCOL, "no cipher in common with the peer" },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, ERR_DENIED,
	  "the peer has sent no certificate" },
};

static const struct known alerts[] = {
	{ SSL_AD_BAD_CERTIFICATE, ERR_DENIED, "bad certificate" }, /* see name_hint() */
	{ SSL_AD_UNSUPPORTED_CERTIFICATE, ERR_DENIED, "unsupported certificate" },
	{ SSL_AD_CERTIFICATE_REVOKED, ERR_DENIED, "certificate revoked" },
	{ SSL_AD_CERTIFICATE_EXPIRED, ERR_DENIED, "certificate expired" },
	{ SSL_AD_CERTIFICATE_UNKNOWN, ERR_DENIED, "certificate unknown" },
	{ SSL_AD_UNKNOWN_CA, ERR_DENIED,
	  "unknown CA: nobody in its ca file vouches for it" },
	{ SSL_AD_ACCESS_DENIED, ERR_DENIED, "access denied" },
	{ SSL_AD_CERTIFICATE_REQUIRED, ERR_DENIED, "it has got none" },
};

static const struct known *look_up(const struct known *table, size_t n, int reason)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].reason == reason)
			return &table[i];
	return NULL;
}

/* A certificate that is sound, but not of whom the peer expects, is a bad one, too. */
static const char *name_hint(const SSL *ssl, int alert)
{
	if (alert != SSL_AD_BAD_CERTIFICATE)
		return "";
	return SSL_is_server(ssl) ? "; is the server_cn there among its subjectAltNames?"
				  : "; is its common name among client_cns there?";
}

static void explain_alert(const SSL *ssl, int alert, struct err *err)
{
	const struct known *k = look_up(alerts, ARRAY_LEN(alerts), alert);
	const X509 *ours = SSL_get_certificate(ssl);
	cleanup(str_freep) char *who = NULL, *until = NULL;

	if (!k || !ours) {
		err_set(err, ERR_PROTOCOL, "the peer gives up: %s",
			SSL_alert_desc_string_long(alert));
		return;
	}
	who = tls_name_text(X509_get_subject_name(ours));
	until = tls_time_text(X509_get0_notAfter(ours));
	err_set(err, k->kind,
		"the peer refuses our certificate (%s, valid until %s): %s%s", who, until,
		k->text, name_hint(ssl, alert));
}

char *tls_queue_text(void)
{
	struct buf text = { 0 };
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		const char *reason = ERR_reason_error_string(code);

		if (text.len < QUEUE_TEXT_MAX)
			buf_printf(&text, "%s%s", text.len > 0 ? ": " : "",
				   reason ? reason : "unknown error");
	}
	if (text.len == 0)
		buf_printf(&text, "OpenSSL does not say what is wrong");
	return buf_take(&text);
}

static void explain_queue(const SSL *ssl, const struct tls_admission *a, struct err *err)
{
	const unsigned long code = ERR_peek_error();
	const int reason = ERR_GET_REASON(code);
	cleanup(str_freep) char *text = NULL;
	const struct known *k = NULL;

	if (a && a->refusal) {
		err_set(err, ERR_DENIED, "%s", a->refusal);
		return;
	}
	if (ERR_SYSTEM_ERROR(code)) {
		conn_failed(reason, err);
		return;
	}
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
		explain_alert(ssl, reason - SSL_AD_REASON_OFFSET, err);
		return;
	}
	if (ERR_GET_LIB(code) == ERR_LIB_SSL)
		k = look_up(known, ARRAY_LEN(known), reason);
	if (k) {
		err_set(err, k->kind, "%s", k->text);
		return;
	}
	text = tls_queue_text();
	err_set(err, ERR_PROTOCOL, "%s", text);
}

void tls_explain(const SSL *ssl, int returned, const struct tls_admission *a,
		 struct err *err)
{
	const int errnum = errno;

	if (ERR_peek_error() != 0)
		explain_queue(ssl, a, err);
	else if (SSL_get_error(ssl, returned) == SSL_ERROR_SYSCALL && errnum != 0)
		conn_failed(errnum, err);
	else /* the end of input, where one version or another has no words for it */
		err_set(err, ERR_NETWORK, "the connection was cut off");
	ERR_clear_error();
}
