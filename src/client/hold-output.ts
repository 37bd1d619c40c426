import type {ContainerClient} from './client.ts'

/** Longer than a nats-server takes to be started again; short enough for a container whose client was killed. */
const holdMs = 30_000
const renewMs = 10_000

/**
 * Keeps a container that removes itself from doing so before it is disposed, so that the last of its output and its exit
 * status can be had. The hold lapses by itself 30 s after this process has died.
 */
export async function holdOutput(container: ContainerClient): Promise<AsyncDisposable> {
  await hold(container, holdMs)
  // Failing, because NATS is away, it is tried again in time.
  const timer = setInterval(() => hold(container, holdMs).catch(() => {}), renewMs)
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      // It may be gone, or NATS: then it goes by itself.
      await hold(container, 0).catch(() => {})
    },
  }
}

async function hold(container: ContainerClient, forMs: number): Promise<void> {
  await container.output('stdout', 0, {holdMs: forMs, limitBytes: 1})
}
