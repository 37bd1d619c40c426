/** The parts of an OCI runtime config.json (runtime-spec 1.0.2) that are generated here. */
export interface OciSpec {
  readonly ociVersion: string
  readonly process: OciProcess
  readonly root: {readonly path: string; readonly readonly?: boolean}
  readonly hostname?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly mounts: readonly OciMount[]
  readonly linux: OciLinux
}

export interface OciProcess {
  readonly terminal: boolean
  readonly consoleSize?: {readonly width: number; readonly height: number}
  readonly user: OciUser
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: Readonly<Record<'bounding' | 'effective' | 'permitted', readonly string[]>>
  readonly noNewPrivileges: boolean
  readonly apparmorProfile?: string
  readonly oomScoreAdj?: number
  readonly rlimits?: readonly OciRlimit[]
}

export interface OciRlimit {
  /** `RLIMIT_NOFILE` */
  readonly type: string
  /** A string stands for unlimited. */
  readonly soft: number | string
  readonly hard: number | string
}

export interface OciDevice {
  readonly path: string
  /** `c` or `b` */
  readonly type: string
  readonly major: number
  readonly minor: number
  /** Permission bits. */
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
}

export interface OciUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids?: readonly number[]
}

export interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

export interface OciLinux {
  readonly namespaces: readonly {readonly type: string; readonly path?: string}[]
  readonly cgroupsPath: string
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  readonly devices?: readonly OciDevice[]
  readonly resources: OciResources
  readonly seccomp?: OciSeccomp
}

export interface OciResources extends OciLimits {
  readonly devices: readonly {
    readonly allow: boolean
    readonly access: string
    readonly type?: string
    readonly major?: number
    readonly minor?: number
  }[]
}

/** -1 is unlimited. `checkBeforeUpdate` needs runtime-spec 1.1 and cgroup v2. */
export interface OciLimits {
  /** `swap` is memory and swap together. */
  readonly memory?: {readonly limit?: number; readonly swap?: number; readonly checkBeforeUpdate?: boolean}
  readonly cpu?: {readonly quota?: number; readonly period?: number; readonly shares?: number; readonly cpus?: string}
  readonly pids?: {readonly limit: number}
}

export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls: readonly OciSyscallRule[]
}

export interface OciSyscallRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly unknown[]
}
