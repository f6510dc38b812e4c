/* The type _StreamReader: the C part of natkit.streams(). */
#ifndef NATKIT_STREAMS_READER_H
#define NATKIT_STREAMS_READER_H

#include "natkit/natkit.h"

extern PyType_Spec stream_reader_spec;

#endif
