/*{
    "ISFVSN": "2",
    "DESCRIPTION": "An image that comes along: red, green over blue, white.",
    "IMPORTED": {"corners": {"PATH": "corners.png"}}
}*/
void main() {
    gl_FragColor = IMG_PIXEL(corners, floor(isf_FragNormCoord * IMG_SIZE(corners)) + 0.5);
}
