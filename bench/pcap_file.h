/* A pcap file read in blocks, record by record: for programs that show what the machine can do, so
 * they take only what this machine wrote: files in its byte order, of Ethernet. */
#ifndef PCAP_FILE_H
#define PCAP_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024, FILE_HEADER = 24, RECORD_HEADER = 16, ETHERNET = 1 };

struct pcap_file {
    int fd;
    bool failed;      /* said on stderr */
    uint32_t ns_unit; /* nanoseconds in the unit of a record's time */
    size_t at, end;   /* of what is in bytes */
    unsigned char bytes[BLOCK];
};

struct record {
    uint32_t seconds, fraction, captured, wire; /* as the file has them */
};

/* At least so many bytes at file->at; false at the end of the file. */
static inline bool pcap_need(struct pcap_file *file, size_t count)
{
    if (file->end - file->at >= count)
        return true;
    memmove(file->bytes, file->bytes + file->at, file->end - file->at);
    file->end -= file->at;
    file->at = 0;
    while (file->end < count && count <= BLOCK) {
        ssize_t got = read(file->fd, file->bytes + file->end, BLOCK - file->end);
        if (got <= 0) {
            file->failed |= got < 0;
            return false;
        }
        file->end += (size_t)got;
    }
    return count <= BLOCK;
}

static inline bool pcap_open(struct pcap_file *file, const char *path)
{
    uint32_t magic = 0, link = 0;

    file->at = file->end = 0;
    file->failed = false;
    file->fd = open(path, O_RDONLY);
    if (file->fd < 0) {
        perror(path);
        return false;
    }
    if (pcap_need(file, FILE_HEADER)) {
        memcpy(&magic, file->bytes, sizeof magic);
        memcpy(&link, file->bytes + 20, sizeof link);
    }
    file->at = FILE_HEADER;
    file->ns_unit = magic == 0xa1b23c4d ? 1 : 1000;
    if ((magic == 0xa1b2c3d4 || magic == 0xa1b23c4d) && link == ETHERNET)
        return true;
    fprintf(stderr, "%s: not a pcap file of Ethernet in this machine's byte order\n", path);
    close(file->fd);
    return false;
}

/* The next record's bytes, which stay until the next call; NULL at the end. */
static inline const unsigned char *pcap_next(struct pcap_file *file, struct record *record)
{
    if (!pcap_need(file, RECORD_HEADER)) {
        file->failed |= file->at != file->end;
        return NULL;
    }
    memcpy(record, file->bytes + file->at, RECORD_HEADER);
    if (!pcap_need(file, RECORD_HEADER + (size_t)record->captured)) {
        file->failed = true;
        return NULL;
    }
    const unsigned char *data = file->bytes + file->at + RECORD_HEADER;
    file->at += RECORD_HEADER + (size_t)record->captured;
    return data;
}

/* Whether all of it was read. */
static inline bool pcap_close(struct pcap_file *file, const char *path)
{
    close(file->fd);
    if (file->failed)
        fprintf(stderr, "%s: ends within a record, or can't be read\n", path);
    return !file->failed;
}

#endif
