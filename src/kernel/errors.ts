/**
 * The one table of everything that can go wrong, and the one class that carries it.
 * `code` is stable and public, `kind` says what a caller can do about it; both cross the wire.
 * A test compares docs/errors.md with this table, both ways.
 */

/** What can the caller do? The number is `Nats-Service-Error-Code`, after the HTTP status of the same meaning. */
export const errorKinds = {
  invalid: 400,
  not_found: 404,
  already_exists: 409,
  precondition: 412,
  conflict: 423,
  timeout: 504,
  unavailable: 503,
  cancelled: 499,
  bug: 500,
} as const
export type ErrorKind = keyof typeof errorKinds

export const errorTable = {
  INVALID_REQUEST: {kind: 'invalid', meaning: 'The request is not JSON, or a field is missing, unknown or of the wrong type.'},
  INVALID_ARGUMENT: {kind: 'invalid', meaning: 'A command-line argument, option or environment variable has an unusable value.'},
  REQUEST_TOO_LARGE: {kind: 'invalid', meaning: 'The request is larger than the limit that the message names.'},
  REPLY_TOO_LARGE: {
    kind: 'invalid',
    meaning: 'The reply is larger than a message may be; the message names how to ask for less at once, or for chunks.',
  },
  CONTAINER_NOT_FOUND: {kind: 'not_found', meaning: 'No live container answers to this id in this namespace on this node.'},
  CONTAINER_EXISTS: {kind: 'already_exists', meaning: 'The id is in use by another container of this namespace.'},
  ILLEGAL_COMMAND: {
    kind: 'precondition',
    meaning: 'The container is in a state in which the command is not legal; details name the state and what is.',
  },
  EXEC_NOT_FOUND: {kind: 'not_found', meaning: 'No process was added to this container under this exec id, or it has been deleted.'},
  EXEC_EXISTS: {kind: 'already_exists', meaning: 'The exec id is in use by another process of this container.'},
  PROCESS_ENDED: {kind: 'not_found', meaning: 'The process to which it should have been done has already ended.'},
  STDIN_CLOSED: {
    kind: 'precondition',
    meaning: 'The process takes no input: it was not asked for, has been closed, or nobody reads it any more.',
  },
  INPUT_UNCERTAIN: {
    kind: 'conflict',
    meaning: 'A supervisor was killed while it wrote a piece of input; details name its bytes. Input continues in another session.',
  },
  INPUT_GAP: {kind: 'conflict', meaning: 'Input arrived that does not follow from what came before; details name the offset expected.'},
  ROOTFS_INVALID: {
    kind: 'invalid',
    meaning:
      'The root file system is missing, not a directory or not an absolute path, or its passwd or group file is no regular file or huge.',
  },
  UNSUPPORTED: {kind: 'unavailable', meaning: 'The host lacks what was requested: the message names what is missing.'},
  MOUNT_FAILED: {kind: 'precondition', meaning: 'Something of the root file system cannot be mounted or unmounted; details name which.'},
  CRIU_UNAVAILABLE: {
    kind: 'unavailable',
    meaning: 'Checkpoints need criu, which is missing or cannot work on this kernel; the message says which.',
  },
  CHECKPOINT_INVALID: {
    kind: 'invalid',
    meaning: 'The directory cannot take a checkpoint because it is not empty, or has no complete one to restore from.',
  },
  CHECKPOINT_FAILED: {kind: 'precondition', meaning: 'criu could not write the processes to disk; the message is what it logged last.'},
  RESTORE_FAILED: {kind: 'precondition', meaning: 'criu could not bring the processes back; the message is what it logged last.'},
  BUNDLE_INVALID: {
    kind: 'invalid',
    meaning: 'The bundle is missing, or its config.json is missing, unreadable or not an OCI runtime spec.',
  },
  COMMAND_NOT_FOUND: {
    kind: 'invalid',
    meaning: 'The command, or the interpreter that it needs, does not exist in the container (a shell would say 127).',
  },
  COMMAND_NOT_EXECUTABLE: {kind: 'invalid', meaning: 'The command exists in the container but cannot be executed (a shell would say 126).'},
  USER_NOT_FOUND: {kind: 'invalid', meaning: 'The user or group is not in the passwd or group file of the container.'},
  RUNTIME_NOT_FOUND: {kind: 'unavailable', meaning: 'The OCI runtime (runc) is not installed or not executable.'},
  RUNTIME_TIMEOUT: {kind: 'timeout', meaning: 'The OCI runtime did not finish within its deadline and was killed.'},
  RUNC_CREATE_FAILED: {kind: 'precondition', meaning: 'runc create failed; the message is the reason that it logged.'},
  RUNC_START_FAILED: {kind: 'precondition', meaning: 'runc start failed; the message is the reason that it logged.'},
  RUNC_KILL_FAILED: {kind: 'precondition', meaning: 'runc kill failed; the message is the reason that it logged.'},
  RUNC_PAUSE_FAILED: {kind: 'precondition', meaning: 'runc pause failed; the message is the reason that it logged.'},
  RUNC_RESUME_FAILED: {kind: 'precondition', meaning: 'runc resume failed; the message is the reason that it logged.'},
  RUNC_EXEC_FAILED: {kind: 'precondition', meaning: 'runc exec failed; the message is the reason that it logged.'},
  RUNC_UPDATE_FAILED: {kind: 'precondition', meaning: 'runc update failed; the message is the reason that it logged.'},
  RUNC_DELETE_FAILED: {kind: 'precondition', meaning: 'runc delete failed; the message is the reason that it logged.'},
  DELETE_FAILED: {
    kind: 'precondition',
    meaning: 'What was made for the container cannot be removed; the message is what the kernel said. Another delete tries again.',
  },
  RUNC_STATE_FAILED: {kind: 'precondition', meaning: 'runc state failed; the message is the reason that it logged.'},
  STDIO_FAILED: {kind: 'unavailable', meaning: 'The FIFOs or the log file of a container cannot be made or opened.'},
  JOURNAL_LOCKED: {kind: 'conflict', meaning: 'Another supervisor has the lock of the journal of this container.'},
  JOURNAL_DAMAGED: {
    kind: 'precondition',
    meaning: 'A line of a journal other than a torn last one is not an event; details name file and line.',
  },
  JOURNAL_WRITE_FAILED: {
    kind: 'unavailable',
    meaning: 'The journal cannot be written (disk full, read-only); the command was not accepted.',
  },
  NODE_NOT_RUNNING: {kind: 'unavailable', meaning: 'No coordinator answers for this node; `tally up` starts one.'},
  NODE_RUNNING: {kind: 'already_exists', meaning: 'A coordinator already runs for this node or state directory.'},
  CONTAINERS_LEFT: {
    kind: 'precondition',
    meaning: 'Some of the containers that were to be deleted before the end are still there; the node goes on.',
  },
  NATS_NOT_FOUND: {kind: 'unavailable', meaning: 'The nats-server binary, needed for the embedded server, is not installed.'},
  NATS_START_FAILED: {kind: 'unavailable', meaning: 'The embedded nats-server did not become ready; details have the end of its log.'},
  NATS_UNREACHABLE: {kind: 'unavailable', meaning: 'No NATS server answers at the URL.'},
  NATS_AUTH_FAILED: {kind: 'unavailable', meaning: 'The NATS server refused the credentials.'},
  NATS_TLS_FAILED: {
    kind: 'unavailable',
    meaning: 'TLS was demanded or is needed, and there is none with the NATS server; the message says why. Nothing was sent in clear.',
  },
  JETSTREAM_UNAVAILABLE: {
    kind: 'unavailable',
    meaning: 'The NATS server has no JetStream, has switched it off, as a full disk does, or refused the stream; the message says why.',
  },
  STREAM_UNREADABLE: {
    kind: 'unavailable',
    meaning: 'The stream of events cannot be read to its end: the NATS server has more of it and sends nothing, or misreads its store.',
  },
  STREAM_LIMITS_REFUSED: {
    kind: 'precondition',
    meaning: 'The NATS server does not grant the stream as many copies, as much age or as many bytes; the message says why.',
  },
  NATS_TOO_OLD: {
    kind: 'precondition',
    meaning: 'The nats-server is older than the one that wrote the store of the embedded server; details have both versions.',
  },
  HTTP_ADDRESS_UNUSABLE: {
    kind: 'unavailable',
    meaning: 'The address that `--http` names is in use, or is not one of this machine.',
  },
  HTTP_OFF: {kind: 'unavailable', meaning: 'This node serves no page: it was started with `--http off`, or could not listen.'},
  SESSION_INVALID: {
    kind: 'invalid',
    meaning: 'An HTTP request came without the cookie of a session, or with one that is too old; `tally ui` begins another.',
  },
  ORIGIN_REFUSED: {kind: 'invalid', meaning: 'An HTTP request names a host that is not this one, or comes from a page of another origin.'},
  SUPERVISOR_FAILED: {kind: 'unavailable', meaning: 'The supervisor process could not be started, or died before it answered.'},
  STATE_DIR_INVALID: {
    kind: 'precondition',
    meaning: 'The state or run directory cannot be used: wrong owner, mode, or left by something else.',
  },
  HOST_EXHAUSTED: {
    kind: 'unavailable',
    meaning:
      'The host has no disk space, memory, processes or descriptors left for it, or its disk fails; the message is what the kernel said.',
  },
  OUTPUT_FAILED: {
    kind: 'unavailable',
    meaning: 'What a command prints cannot be written, since the disk is full or the descriptor is closed; the message says which.',
  },
  TIMED_OUT: {kind: 'timeout', meaning: 'The answer did not come within the time allowed; what was asked may still happen.'},
  CANCELLED: {kind: 'cancelled', meaning: 'The operation was cancelled by the caller or by a shutdown.'},
  INTERNAL: {kind: 'bug', meaning: 'A fault in Tallyman itself; please report the message and the details.'},
} as const satisfies Record<string, {readonly kind: ErrorKind; readonly meaning: string}>
export type ErrorCode = keyof typeof errorTable

/** The body of an error reply, and the `error` of a failure event. */
export interface ErrorBody {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

export class TallyError extends Error {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    {details = {}, cause}: {readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown} = {},
  ) {
    super(message, cause === undefined ? undefined : {cause})
    this.name = 'TallyError'
    this.code = code
    this.kind = errorTable[code].kind
    this.details = details
  }
}

/** By its structure, not by its class: an error may have crossed the wire, or come from another bundle. */
export function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== 'object' || value === null) return false
  const {code, kind, message} = value as Partial<Record<keyof ErrorBody, unknown>>
  return isErrorCode(code) && errorTable[code].kind === kind && typeof message === 'string'
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorTable, value)
}

export function toErrorBody(error: unknown): ErrorBody {
  if (isErrorBody(error)) {
    const {code, kind, message, details} = error
    return {code, kind, message, details: details ?? {}}
  }
  const message = error instanceof Error ? error.message : String(error)
  const code = isOfHost(error) ? 'HOST_EXHAUSTED' : 'INTERNAL'
  return {code, kind: errorTable[code].kind, message, details: {}}
}

/** errno(3) of a host that lacks something, whatever was to be done. */
const hostErrors: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ENOMEM', 'EAGAIN', 'EMFILE', 'ENFILE'])

function isOfHost(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error && hostErrors.has(error.code)
}

/** From a failure in the ledger, which a release with other codes may have written. */
export function fromFailure(failure: {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}): TallyError {
  const {code, message, details} = failure
  return isErrorCode(code) ? new TallyError(code, message, {details}) : new TallyError('INTERNAL', `${code}: ${message}`, {details})
}

export function assertNever(value: never): never {
  throw new TallyError('INTERNAL', `unexpected value ${JSON.stringify(value)}`)
}
