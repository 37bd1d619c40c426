import type {ProcessClient} from './client.ts'

/** Longer than a nats-server takes to be started again; short enough for a container whose client was killed. */
const holdMs = 30_000
const renewMs = 10_000

/**
 * Keeps a container or an added process that removes itself from doing so before it is disposed, so that the last of its output and its exit
 * status can be had. The hold lapses by itself 30 s after this process has died.
 */
export async function holdOutput(process: ProcessClient): Promise<AsyncDisposable> {
  await hold(process, holdMs)
  // Failing, because NATS is away, it is tried again in time.
  const timer = setInterval(() => hold(process, holdMs).catch(() => {}), renewMs)
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      // It may be gone, or NATS: then it goes by itself.
      await hold(process, 0).catch(() => {})
    },
  }
}

async function hold(process: ProcessClient, forMs: number): Promise<void> {
  await process.output('stdout', 0, {holdMs: forMs, limitBytes: 1})
}
