/*
 * frame_drive.h - a frame_reader fed from memory, and what it made of the bytes as text.
 *
 * A plan says what is expected one after the other: '1' to '4' a message of that type
 * with its own limit, 's' a stream.  The transcript has one line for each thing:
 *
 *	message 1 8 /v1/send            type, length, and the text if it is printable
 *	message 2 62 #a1b2c3d4          or a checksum
 *	stream 3632 #a1b2c3d4           all of its bytes
 *	end | source error: TEXT
 *	heartbeat | rst | bad: TEXT
 *
 * However the bytes are cut, the transcript is the same.
 */
#ifndef FRAME_DRIVE_H
#define FRAME_DRIVE_H

#include "rpc/frame.h"

struct frame_drive {
	const char *plan; /* what is left of it */
	struct frame_reader r;
	struct buf transcript;
	bool is_done; /* all of the plan has come, and no source error */
	bool is_bad, is_rst;
	struct buf stream; /* its bytes, if wanted */
	bool keeps_stream;
	uint64_t stream_len;
	uint32_t stream_sum;
	bool in_stream;
};

void frame_drive_start(struct frame_drive *d, const char *plan);
/* Nothing is taken any more after bad or rst. */
void frame_drive_feed(struct frame_drive *d, struct view bytes);
void frame_drive_fini(struct frame_drive *d);

size_t frame_limit(enum frame_type type);
uint32_t frame_sum(uint32_t sum, struct view bytes);

#endif
