/** The names of message headers, each in one place: ours, and those of NATS that we read or write ourselves. */

/** On a command: who sends it. It becomes part of the ledger. */
export const actorHeader = 'Tally-Actor'
/** On a command: its name, chosen by its sender. Together with the actor and the command it is the idempotency key of a retry. */
export const correlationHeader = 'Tally-Correlation-Id'
/** On a command: 1, or absent, at first; more on a retry. */
export const attemptHeader = 'Tally-Attempt'

/** On a request: `1` from whoever can put the chunks of a reply together. */
export const acceptsChunksHeader = 'Tally-Accept-Chunks'
/** On a reply: `2/5`, the second of five chunks. */
export const chunkHeader = 'Tally-Chunk'

/** On a message of output, and on a piece of input: bytes of this stream that came before the payload. */
export const offsetHeader = 'Tally-Offset'
/** On a message of output: when it was read, RFC 3339, UTC. */
export const timeHeader = 'Tally-Time'
/** On the last message of a stream of output, which is empty. */
export const endHeader = 'Tally-Eof'
/** On a piece of input: chosen by the sender, for as long as it sends. */
export const sessionHeader = 'Tally-Session'

/** On an error reply (ADR-32): its message, in one line. */
export const errorHeader = 'Nats-Service-Error'
/** On an error reply (ADR-32): a number, after the HTTP status of the same meaning. */
export const errorCodeHeader = 'Nats-Service-Error-Code'
