#include "job/local.h"

#include "base/vec.h"

#include <string.h>

void local_offer(struct local_offers *l, const char *listener_name, struct receiver *r)
{
	VEC_PUSH(l, ((struct local_offer){ listener_name, r }));
}

void local_offers_free(struct local_offers *l)
{
	free(l->v);
	*l = (struct local_offers){ 0 };
}

struct endpoint *local_connect(const struct local_offers *l, const struct conf_connect *c,
			       struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].listener_name, c->listener_name) == 0)
			return receiver_for(l->v[i].receiver, c->client_identity, err);
	err_set(err, ERR_NETWORK, "local listener \"%s\" not reachable",
		c->listener_name);
	return NULL;
}
