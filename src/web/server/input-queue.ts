/** Input that a socket has sent and the process has not taken yet. While that is much, the socket is not read. */

export interface InputQueue {
  push(bytes: Uint8Array): void
}

export interface InputQueueOptions {
  /** Resolves when the process has taken it. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly source: {pause(): void; resume(): void}
  /** Accepts nothing more. */
  readonly onFailed: (error: unknown) => void
}

const mostQueuedBytes = 64 * 1024

export function createInputQueue({write, source, onFailed}: InputQueueOptions): InputQueue {
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let state: 'idle' | 'writing' | 'failed' = 'idle'

  return {
    push: (bytes) => {
      if (state === 'failed') return
      queue.push(bytes)
      queuedBytes += bytes.length
      if (queuedBytes > mostQueuedBytes) source.pause()
      if (state === 'idle') void drain()
    },
  }

  async function drain(): Promise<void> {
    state = 'writing'
    try {
      while (queue.length > 0) {
        const bytes = Buffer.concat(queue)
        queue = []
        await write(bytes)
        queuedBytes -= bytes.length
        if (queuedBytes <= mostQueuedBytes) source.resume()
      }
      state = 'idle'
    } catch (error) {
      state = 'failed'
      queue = []
      source.resume()
      onFailed(error)
    }
  }
}
