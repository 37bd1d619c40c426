const [firstMs, mostMs] = [100, 60_000]

/** How long to wait before each retry of something that has to be done in the end: each time twice as long, up to a minute. */
export function* backoff(): Generator<number, never> {
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, mostMs)) yield waitMs
}
