declare module 'compression17' {
  export { default } from 'compression';
}
