/** What the tests use of two drivers that bring no types. */
declare module 'memjs' {
  export class Client {
    static create(
      servers: string,
      options?: { timeout?: number; retries?: number; logger?: { log(...values: unknown[]): void } },
    ): Client;
    get(key: string): Promise<{ value: Buffer | null; flags: Buffer | null }>;
    set(key: string, value: string | Buffer, options: { expires?: number }): Promise<boolean>;
    add(key: string, value: string | Buffer, options: { expires?: number }): Promise<boolean>;
    replace(key: string, value: string | Buffer, options: { expires?: number }): Promise<boolean>;
    delete(key: string): Promise<boolean>;
    touch(key: string, expires: number): Promise<boolean>;
    close(): void;
  }
  const memjs: { Client: typeof Client };
  export default memjs;
}

declare module 'memcached' {
  type Callback<T> = (error: unknown, result: T) => void;
  export default class Memcached {
    constructor(servers: string | string[], options?: { timeout?: number; retries?: number; namespace?: string });
    get(key: string, callback: Callback<unknown>): void;
    gets(key: string, callback: Callback<{ cas: string; [key: string]: unknown }>): void;
    set(key: string, value: unknown, lifetime: number, callback: Callback<boolean>): void;
    add(key: string, value: unknown, lifetime: number, callback: Callback<boolean>): void;
    cas(key: string, value: unknown, cas: string, lifetime: number, callback: Callback<boolean>): void;
    del(key: string, callback: Callback<boolean>): void;
    touch(key: string, lifetime: number, callback: Callback<void>): void;
    end(): void;
  }
}
