/** Writes to an inherited descriptor without blocking the event loop: process.stdout blocks while a pipe is full. */
import {write} from 'node:fs'
import {promisify} from 'node:util'
import {exitCodes} from './exit-codes.ts'
import {toOutputFailure} from './output-failure.ts'

const retryMs = 10

/**
 * Resolves when all of it is written.
 * @param onReaderGone called when the reader of a pipe has closed it; without it this process exits with 0
 * @throws TallyError OUTPUT_FAILED
 */
export async function writeToFd(fd: number, bytes: Uint8Array, onReaderGone: () => void = leave): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += (await promisify(write)(fd, bytes, written)).bytesWritten
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EPIPE') return onReaderGone()
      // Another process shares the pipe and has made it non-blocking.
      if (code !== 'EAGAIN') throw toOutputFailure(fd, error)
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

function leave(): never {
  process.exit(exitCodes.ok)
}
