import {TallyError} from '../kernel/errors.ts'

const names: Readonly<Record<number, string>> = {1: 'stdout', 2: 'stderr'}
const reasons: Readonly<Record<string, string>> = {
  EBADF: 'it is closed, or not open for writing',
  ENOSPC: 'no space left on device',
  EFBIG: 'the file would be too large',
  EIO: 'input/output error',
}

/** The error for output that cannot be written. */
export function toOutputFailure(fd: number, error: unknown): TallyError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const why = reasons[code] ?? (error instanceof Error ? error.message : String(error))
  return new TallyError('OUTPUT_FAILED', `cannot write to ${names[fd] ?? fd}: ${why}`, {cause: error})
}
