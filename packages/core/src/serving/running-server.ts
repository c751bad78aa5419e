/** Where to serve. */
export interface ListenOptions {
  /** @defaultValue 0, any free port */
  readonly port?: number | undefined;
  /** @defaultValue "127.0.0.1", so that only this machine can reach it */
  readonly host?: string | undefined;
}

/** A server that runs until it is closed. */
export interface RunningServer extends AsyncDisposable {
  /** Base URL without a trailing slash, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly port: number;
  /** Ends all open answers and closes all sockets. */
  close(): Promise<void>;
}
