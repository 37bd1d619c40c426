/** A part of a list that fits into a reply. */

/** The rest of a reply, beside the list. */
const besidesBytes = 1024

/**
 * As many items as fit into a reply, from the first on; at least one.
 * @param room bytes of the reply
 */
export function takePage<T>(
  items: readonly T[],
  {room, limit = Number.POSITIVE_INFINITY}: {readonly room: number; readonly limit?: number | undefined},
): readonly T[] {
  let left = room - besidesBytes
  for (const [index, item] of items.entries()) {
    left -= sizeOf(item) + 1
    if (index >= limit || (left < 0 && index > 0)) return items.slice(0, index)
  }
  return items
}

/** How many bytes fit into a reply when they are encoded as base64. */
export function toBase64Room(room: number): number {
  return Math.max(1, Math.floor(((room - besidesBytes) * 3) / 4))
}

/** Bytes of its JSON. */
export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
