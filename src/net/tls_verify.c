#include "net/tls_impl.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { TEXT_MAX = 200, NAMES_SHOWN = 8 };

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static BIO *new_text(void)
{
	BIO *b = BIO_new(BIO_s_mem());

	if (!b)
		abort(); /* out of memory */
	return b;
}

/* The peer chooses how long a name is. */
static char *text_of(BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	if (n > TEXT_MAX)
		return xasprintf("%.*s...", (int)TEXT_MAX, p);
	return xasprintf("%.*s", (int)n, p);
}

char *tls_name_text(const X509_NAME *name)
{
	cleanup(bio_freep) BIO *b = new_text();

	if (X509_NAME_entry_count(name) == 0)
		return xstrdup("nobody");
	X509_NAME_print_ex(b, name, 0, XN_FLAG_ONELINE);
	return text_of(b);
}

static char *string_text(const ASN1_STRING *s)
{
	cleanup(bio_freep) BIO *b = new_text();

	ASN1_STRING_print_ex(b, s,
			     ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB |
				     ASN1_STRFLGS_UTF8_CONVERT);
	return text_of(b);
}

char *tls_time_text(const ASN1_TIME *t)
{
	char text[64];
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return xstrdup("an unreadable time");
	return xstrdup(text);
}

char *tls_server_name(const char *server_cn, bool *is_address)
{
	size_t len = strlen(server_cn);
	struct in6_addr ignored;
	char *name;

	if (len > 2 && server_cn[0] == '[' && server_cn[len - 1] == ']')
		name = xasprintf("%.*s", (int)(len - 2), server_cn + 1);
	else if (len > 1 && server_cn[len - 1] == '.')
		name = xasprintf("%.*s", (int)(len - 1), server_cn);
	else
		name = xstrdup(server_cn);
	*is_address = inet_pton(AF_INET, name, &ignored) == 1 ||
		      inet_pton(AF_INET6, name, &ignored) == 1;
	return name;
}

/* "DNS:a, DNS:b, IP Address:192.0.2.1" */
static char *alternative_names(const X509 *cert)
{
	cleanup(bio_freep) BIO *b = new_text();
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int shown = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && shown < NAMES_SHOWN; i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		BIO_puts(b, shown++ > 0 ? ", " : "");
		GENERAL_NAME_print(b, name); /* what cannot be printed is a dot */
	}
	GENERAL_NAMES_free(names);
	return shown > 0 ? text_of(b) : NULL;
}

static char *explain_names(const struct tls *t, const X509 *cert, const char *who)
{
	cleanup(str_freep) char *names = alternative_names(cert);

	if (!names)
		return xasprintf("certificate of %s has no subjectAltName, so it is not "
				 "for %s \"%s\": the common name does not count",
				 who, t->server_cn_key, t->server_cn);
	return xasprintf("certificate of %s is not for %s \"%s\" but for %s", who,
			 t->server_cn_key, t->server_cn, names);
}

/* Why it was not accepted. */
static char *explain(const struct tls *t, X509_STORE_CTX *store)
{
	const int error = X509_STORE_CTX_get_error(store);
	const X509 *cert = X509_STORE_CTX_get_current_cert(store);
	cleanup(str_freep) char *who = NULL, *when = NULL, *issuer = NULL;

	if (!cert)
		cert = X509_STORE_CTX_get0_cert(store);
	who = tls_name_text(X509_get_subject_name(cert));
	issuer = tls_name_text(X509_get_issuer_name(cert));
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		when = tls_time_text(X509_get0_notAfter(cert));
		return xasprintf("certificate of %s expired %s", who, when);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		when = tls_time_text(X509_get0_notBefore(cert));
		return xasprintf("certificate of %s is not valid before %s", who, when);
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return xasprintf("certificate of %s is self-signed and not in %s", who,
				 t->files.ca);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return xasprintf("certificate of %s, issued by %s: neither is in %s", who,
				 issuer, t->files.ca);
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return xasprintf("certificate of %s is not signed by the %s in %s", who,
				 issuer, t->files.ca);
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return explain_names(t, cert, who);
	case X509_V_ERR_INVALID_PURPOSE:
		return xasprintf("certificate of %s is not meant for a %s (key usage)",
				 who, t->is_server ? "client" : "server");
	}
	return xasprintf("certificate of %s: %s", who,
			 X509_verify_cert_error_string(error));
}

/* Of several the last one, as in zrepl 0.7. */
static const ASN1_STRING *common_name(const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	const ASN1_STRING *cn = NULL;
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	return cn;
}

/* Bytes with their length: "good\0evil" is not "good". */
static const char *find_client(const struct tls *t, const uint8_t *cn, int len)
{
	for (size_t i = 0; i < t->n_client_cns; i++) {
		const char *s = t->client_cns[i];

		if (len > 0 && strlen(s) == (size_t)len &&
		    memcmp(s, cn, (size_t)len) == 0)
			return s;
	}
	return NULL;
}

static int identify(struct tls_admission *a, X509_STORE_CTX *store)
{
	const ASN1_STRING *cn = common_name(X509_STORE_CTX_get0_cert(store));
	cleanup(str_freep) char *text = NULL;
	uint8_t *bytes = NULL;
	const char *who;
	int len;

	if (!cn) {
		a->refusal = xstrdup("certificate has no common name");
		return 0;
	}
	len = ASN1_STRING_to_UTF8(&bytes, cn);
	who = find_client(a->tls, bytes, len);
	OPENSSL_free(bytes);
	if (!who) {
		text = string_text(cn);
		a->refusal = xasprintf("unauthorized client common name \"%s\": not "
				       "among client_cns",
				       text);
		return 0;
	}
	a->identity = xstrdup(who);
	return 1;
}

int tls_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_admission *a = SSL_get_app_data(ssl);
	int r;

	(void)arg;
	if (!a || a->refusal || a->identity) /* it is over; none comes later */
		return 0;
	r = X509_verify_cert(store);
	if (r <= 0) {
		a->refusal = explain(a->tls, store);
		return 0;
	}
	if (a->tls->is_server && !identify(a, store)) {
		/* So the peer is told "bad certificate", and its people know. */
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	return 1;
}
