// The default theme, with the fonts of the system: nothing to download, and nothing that shifts while it loads.
import theme from "vitepress/theme-without-fonts";
import "./style.css";

export default theme;
