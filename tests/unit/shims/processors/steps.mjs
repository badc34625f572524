export { default } from './steps.cjs';
