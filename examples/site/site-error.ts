/** An answer other than the page that was asked for, to be thrown by any handler. */
export class SiteError extends Error {
  readonly status: number;
  /** What the visitor can do. */
  readonly advice: string;

  constructor(status: number, message: string, advice: string) {
    super(message);
    this.status = status;
    this.advice = advice;
  }
}
