/** Commands of an OCI runtime, as on its command line. */

export type RuncVerb = 'create' | 'start' | 'kill' | 'exec' | 'pause' | 'resume' | 'checkpoint' | 'restore' | 'update' | 'delete' | 'state'
