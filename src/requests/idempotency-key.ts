/** The idempotency key of a request: a retry has the same key, and is not carried out a second time (docs/adr/0021). */

export interface IdempotencyKey {
  readonly actor: string
  /** Chosen by the sender; the client makes one for each command. */
  readonly correlationId: string
  /** One request may add a process and start it: two commands under one correlation id. */
  readonly command: string
}

export function formatKey({actor, correlationId, command}: IdempotencyKey): string {
  return JSON.stringify([command, actor, correlationId])
}
