#include "net/tls_impl.h"

#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024 };

/* ---- has a file changed? ---- */

static struct tls_stamp stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct tls_stamp){ .error = errno };
	return (struct tls_stamp){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = st.st_size,
		.mtime = st.st_mtim,
		.ctime = st.st_ctim,
	};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct tls_stamp *a, const struct tls_stamp *b)
{
	for (size_t i = 0; i < TLS_FILES; i++)
		if (a[i].dev != b[i].dev || a[i].ino != b[i].ino ||
		    a[i].size != b[i].size || a[i].error != b[i].error ||
		    !same_time(&a[i].mtime, &b[i].mtime) ||
		    !same_time(&a[i].ctime, &b[i].ctime))
			return false;
	return true;
}

/* ---- reading ---- */

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void key_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void certs_freep(STACK_OF(X509) * *certs)
{
	sk_X509_pop_free(*certs, X509_free);
}

static void wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_free(b);
}

static int invalid(const char *what, const char *path, struct err *err)
{
	cleanup(str_freep) char *why = tls_queue_text();

	return err_set(err, ERR_INVALID, "%s %s: %s", what, path, why);
}

static int read_file(const char *what, const char *path, struct buf *out, struct err *err)
{
	/* O_NONBLOCK: a FIFO is an error, not a wait. */
	cleanup(fd_closep) int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *p = buf_reserve(out, FILE_MAX + 1); /* never moves, to be wiped */
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "%s %s", what, path);
	while ((n = read(fd, p + have, FILE_MAX + 1 - have)) > 0)
		have += (size_t)n;
	if (n < 0)
		return err_sys(err, errno, "%s %s", what, path);
	if (have > FILE_MAX)
		return err_set(err, ERR_INVALID, "%s %s: larger than %d bytes", what,
			       path, FILE_MAX);
	buf_added(out, have);
	return 0;
}

/* At least one. */
static STACK_OF(X509) * read_certs(const char *what, const char *path, struct err *err)
{
	cleanup(certs_freep) STACK_OF(X509) *certs = sk_X509_new_null();
	cleanup(wipe) struct buf text = { 0 };
	cleanup(bio_freep) BIO *bio = NULL;
	X509 *cert;

	if (read_file(what, path, &text, err) < 0)
		return NULL;
	ERR_clear_error();
	bio = BIO_new_mem_buf(buf_str(&text), (int)text.len);
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(certs, cert))
			abort(); /* out of memory */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		invalid(what, path, err);
		err_detail(err, "certificate %d in it", sk_X509_num(certs) + 1);
		return NULL;
	}
	ERR_clear_error();
	if (sk_X509_num(certs) == 0) {
		err_set(err, ERR_INVALID, "%s %s: no certificate (PEM) in it", what,
			path);
		return NULL;
	}
	return TAKE(certs);
}

/* There is nobody to ask, least of all on a daemon's terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *asked)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_key(const char *path, struct err *err)
{
	cleanup(wipe) struct buf text = { 0 };
	cleanup(bio_freep) BIO *bio = NULL;
	bool asked = false;
	EVP_PKEY *key;

	if (read_file("key", path, &text, err) < 0)
		return NULL;
	ERR_clear_error();
	bio = BIO_new_mem_buf(buf_str(&text), (int)text.len);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	if (key)
		return key;
	if (asked)
		err_set(err, ERR_INVALID,
			"key %s: encrypted, and nobody is there to be asked for the "
			"passphrase",
			path);
	else /* OpenSSL's decoders say "unsupported" to all kinds of things */
		err_set(err, ERR_INVALID,
			"key %s: no private key (PEM) in it that OpenSSL "
			"can read",
			path);
	ERR_clear_error();
	return NULL;
}

/* ---- a context ---- */

/* Every certificate in `ca` is trusted, whatever it is. */
static int add_ca(SSL_CTX *c, const char *path, struct err *err)
{
	cleanup(certs_freep) STACK_OF(X509) *certs = read_certs("ca", path, err);
	X509_STORE *store = SSL_CTX_get_cert_store(c);

	for (int i = 0; i < sk_X509_num(certs); i++)
		if (!X509_STORE_add_cert(store, sk_X509_value(certs, i)))
			return invalid("ca", path, err);
	/*
	 * No SSL_CTX_set_client_CA_list(): Go sends a certificate only if its issuer is
	 * on that list, or if the list is empty.
	 */
	return certs ? 0 : -1;
}

/* The chain, leaf first, is sent as it stands in the file. */
static int add_cert(SSL_CTX *c, const struct conf_tls *files, struct err *err)
{
	cleanup(certs_freep) STACK_OF(X509) *certs = read_certs("cert", files->cert, err);
	cleanup(key_freep) EVP_PKEY *key = NULL;

	if (!certs)
		return -1;
	key = read_key(files->key, err);
	if (!key)
		return -1;
	if (!X509_check_private_key(sk_X509_value(certs, 0), key)) {
		ERR_clear_error();
		return err_set(err, ERR_INVALID,
			       "key %s: not the key of the certificate in %s", files->key,
			       files->cert);
	}
	if (!SSL_CTX_use_certificate(c, sk_X509_value(certs, 0)))
		return invalid("cert", files->cert, err);
	for (int i = 1; i < sk_X509_num(certs); i++)
		if (!SSL_CTX_add1_chain_cert(c, sk_X509_value(certs, i)))
			return invalid("cert", files->cert, err);
	if (!SSL_CTX_use_PrivateKey(c, key))
		return invalid("key", files->key, err);
	return 0;
}

static int expect_server(SSL_CTX *c, const char *server_cn)
{
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(c);
	bool is_address;
	cleanup(str_freep) char *name = tls_server_name(server_cn, &is_address);

	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return is_address ? X509_VERIFY_PARAM_set1_ip_asc(p, name)
			  : X509_VERIFY_PARAM_set1_host(p, name, 0);
}

/* ---- key log, for looking into a recording of the network ---- */

static int keylog_fd = -1, keylog_error;
static pthread_once_t keylog_once = PTHREAD_ONCE_INIT;
static atomic_flag keylog_complained = ATOMIC_FLAG_INIT;

/* At the first secret, so that a configcheck does not truncate a daemon's. */
static void keylog_open(void)
{
	const char *path = getenv("ZREPL_KEYLOG_FILE");

	if (path)
		keylog_fd = open(path,
				 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
					 O_NOCTTY,
				 0600);
	keylog_error = errno;
	/* It may have been there, and open to others. */
	if (keylog_fd >= 0 && fchmod(keylog_fd, 0600) < 0) {
		keylog_error = errno;
		fd_closep(&keylog_fd);
		keylog_fd = -1;
	}
}

static void keylog_write(const SSL *ssl, const char *line)
{
	const struct tls_admission *a = SSL_get_app_data(ssl);
	cleanup(str_freep) char *text = xasprintf("%s\n", line);
	const size_t n = strlen(text);

	pthread_once(&keylog_once, keylog_open);
	if ((keylog_fd < 0 || write(keylog_fd, text, n) != (ssize_t)n) && a &&
	    !atomic_flag_test_and_set(&keylog_complained))
		log_warn(&a->tls->log, "cannot write to ZREPL_KEYLOG_FILE: %s",
			 strerrordesc_np(keylog_fd < 0 ? keylog_error : errno));
	OPENSSL_cleanse(text, n);
}

/*
 * The rest is OpenSSL's default, and so the system's policy (openssl.cnf: which ciphers,
 * how short a key).  No ALPN, and no demands on SNI: Go's side knows neither.
 */
static int configure(SSL_CTX *c, const struct tls *t)
{
	const char *keylog = getenv("ZREPL_KEYLOG_FILE");

	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
				       SSL_OP_ENABLE_KTLS);
	/* No ticket, no session: a certificate that was taken out stays out, and no peer
	 * closes with an unread ticket, which would reset the connection. */
	SSL_CTX_set_num_tickets(c, 0);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	/* Go's side does not guess a chain, either. */
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, tls_verify, NULL);
	if (keylog && *keylog)
		SSL_CTX_set_keylog_callback(c, keylog_write);
	/* A leaf in `ca` is an anchor, self-signed or not. */
	if (!X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c),
					 X509_V_FLAG_PARTIAL_CHAIN))
		return 0;
	/* In Go's order: of AES the faster one first. */
	return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) &&
	       SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:"
					   "TLS_AES_256_GCM_SHA384:"
					   "TLS_CHACHA20_POLY1305_SHA256") &&
	       (t->is_server || expect_server(c, t->server_cn));
}

static SSL_CTX *read_context(const struct tls *t, struct err *err)
{
	cleanup(tls_context_freep) SSL_CTX *c = NULL;
	cleanup(str_freep) char *why = NULL;

	ERR_clear_error();
	c = SSL_CTX_new(TLS_method());
	if (!c || !configure(c, t)) {
		why = tls_queue_text();
		err_set(err, ERR_INTERNAL, "set up TLS: %s", why);
		return NULL;
	}
	if (add_ca(c, t->files.ca, err) < 0 || add_cert(c, &t->files, err) < 0)
		return NULL;
	return TAKE(c);
}

/* ---- now, and when they change ---- */

static SSL_CTX *ref(SSL_CTX *c)
{
	if (c && !SSL_CTX_up_ref(c))
		abort();
	return c;
}

static void warn_of_dates(const struct tls *t, SSL_CTX *c)
{
	const X509 *cert = SSL_CTX_get0_certificate(c);
	cleanup(str_freep) char *until = tls_time_text(X509_get0_notAfter(cert));
	cleanup(str_freep) char *from = tls_time_text(X509_get0_notBefore(cert));

	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		log_warn(&t->log, "the certificate in %s expired %s: peers refuse it",
			 t->files.cert, until);
	else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		log_warn(&t->log,
			 "the certificate in %s is not valid before %s: peers refuse it",
			 t->files.cert, from);
}

static void stamp(const struct tls *t, struct tls_stamp *now)
{
	now[0] = stamp_of(t->files.ca);
	now[1] = stamp_of(t->files.cert);
	now[2] = stamp_of(t->files.key);
}

/* Does so unless another thread was quicker. */
static void install(struct tls *t, SSL_CTX *c, const struct tls_stamp *made_of)
{
	SSL_CTX *old = NULL;
	bool is_news, is_change;

	pthread_mutex_lock(&t->lock);
	is_change = t->context;
	is_news = !is_change || !same(t->good, made_of);
	if (is_news) {
		old = t->context;
		t->context = ref(c);
		memcpy(t->good, made_of, sizeof(t->good));
	}
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old);
	if (!is_news)
		return;
	if (is_change)
		log_info(&t->log, "%s, %s, %s have changed: the new ones are used",
			 t->files.ca, t->files.cert, t->files.key);
	warn_of_dates(t, c);
}

/* The files before the stamps' next change: what is read later is read again then. */
static SSL_CTX *read_now(struct tls *t, struct tls_stamp *now, struct err *err)
{
	SSL_CTX *c;

	stamp(t, now);
	c = read_context(t, err);
	if (c)
		install(t, c, now);
	return c;
}

int tls_load(struct tls *t, struct err *err)
{
	struct tls_stamp now[TLS_FILES];
	SSL_CTX *c = read_now(t, now, err);

	SSL_CTX_free(c);
	return c ? 0 : -1;
}

SSL_CTX *tls_context(struct tls *t, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct tls_stamp now[TLS_FILES];
	bool is_news;
	SSL_CTX *c;

	stamp(t, now);
	pthread_mutex_lock(&t->lock);
	c = t->context && same(t->good, now) ? ref(t->context) : NULL;
	pthread_mutex_unlock(&t->lock);
	if (c)
		return c;
	c = read_now(t, now, &why);
	if (c)
		return c;

	pthread_mutex_lock(&t->lock);
	c = ref(t->context);
	is_news = !same(t->bad, now);
	if (c)
		memcpy(t->bad, now, sizeof(t->bad));
	pthread_mutex_unlock(&t->lock);
	if (!c)
		err_move(err, &why);
	else if (is_news)
		log_error(&t->log, "the old certificates stay in use: %s", err_msg(&why));
	return c;
}
