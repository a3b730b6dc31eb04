/*{
    "ISFVSN": "2",
    "DESCRIPTION": "White, but for every other column, which is left out in turn."
}*/
void main() {
    if (mod(floor(gl_FragCoord.x) + float(FRAMEINDEX), 2.0) < 1.0) discard;
    gl_FragColor = vec4(1.0);
}
