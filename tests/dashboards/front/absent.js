// What stands for parts of the packages that no picture shows: editors, and focus by keyboard.
export const AnnotationQueryEditor = null;
export const FocusScope = ({ children }) => children;
export const useFocusRing = () => ({ focusProps: {}, isFocusVisible: false });
