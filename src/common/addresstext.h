/* Addresses as texts.  No Python here. */
#ifndef PLT_COMMON_ADDRESSTEXT_H
#define PLT_COMMON_ADDRESSTEXT_H

#include "column.h"

/* The addresses of a column, each distinct one as text. */
struct address_texts {
    int32_t *indices; /* owned: the text of each row, 0 where there is no address */
    int32_t *offsets; /* owned: of the texts, and the end of the last */
    char *text;       /* owned: UTF-8 */
    int32_t count;
};

/* False when out of memory, or where texts are more than 32 bits can count.  Needs no GIL. */
bool address_texts_make(const struct column_data *data, struct address_texts *texts);
void address_texts_free(struct address_texts *texts);

#endif
