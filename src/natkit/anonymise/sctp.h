/* SCTP (RFC 9260).  No Python here. */
#ifndef NATKIT_ANONYMISE_SCTP_H
#define NATKIT_ANONYMISE_SCTP_H

#include "inner.h"

natkit_layer natkit_sctp;

#endif
