/* Anonymising a packet in place: the addresses of its IP headers, quoted and tunnelled ones too,
 * and the checksums over them.  No Python here. */
#ifndef NATKIT_ANONYMISE_LAYERS_H
#define NATKIT_ANONYMISE_LAYERS_H

#include "replace.h"

/* self holds what to replace, and afterwards what was replaced and what is unknown.  linktype is
 * that of the file or interface that the packet is from. */
void natkit_anonymise(struct anonymising *self, const struct stretch *frame,
                      const struct plt_layers *layers, uint32_t linktype);

#endif
