"""The darkness graph of `tests.conftest.make_onnx` as TFLite, converted once, so that tests need no TensorFlow.

``sigmoid((127.5 - mean brightness) / 20)``: float32 (n, 8, 8, 3) in, (n, 1) out.
"""

import base64
import zlib

TINY_TFLITE = zlib.decompress(
    base64.b85decode(
        "c-nPUJxmi}7=CN7KfqZ}tVkk52L?z;Dac@q4uF_o_zMuiU{WeQ;ga@>?Umq092}e+9EfpXaBwhjaWck17h=>9WiW)%ffz?Oh4Xpud+&OZddZ"
        "XT``*6K^ZtB4?INQ28xxn(l%X!_q%;|%!<HlsbApX%6Zi&br-;(PVw@<7b%bregCp0~#rG<32B?|Ub<1AK7tK3`ddUfVpSrHwBJ(6rsXJ?RC"
        "!eE`-os<p)nvT^AS4aRZwIc5#q)E(==9XW*zDZ+^i+OwY<~Fq@cb}zbuWL`ZwvXBEjwSW+m2N>^Xq1{W>suD4SNp)WdIHMj`c3^26zR$0G@H"
        ")z+=D>y{xNpTmlSIUy@QmT()(4*0^Vj3y(iN=(Fba`tDb!GP3agWmIa_JQmSlc5onz&ODJ=tT~V!7|P}-_*Q?rZV6Ze9AE?ZApR<zJF*{IfB"
        "HCa?T4&6PfXoNlRS0lKj*`F?Lv1C;Juxk7@y6IR&4apF^gHxFYRfhg34GcC3Zd+eQ?SFLlLE4E?71*Vx)S$4cr1QOZ<J=XG7K;qeb#b%1G22"
        "#A=nC4Qiatq>KsRGxSuBbl#A>SmXI0RewU(ap8w+X$#fD<@kK&9ST1l+Pj$W(_TIezMPYbexBV&iW>{+QJQ|O5wUS?n{dbgJ1}kmGk^i?;kP"
        "YdQDVP^CR6>scL~2wV)*;L4ZpJ(X9`uva&QyO;%K2%x{?z=KabRLL$6cNBDxXL`w1=X-<-8lu2{u@d$S2QDWlKrfe-h)TrUN@`%QR>6TBti)"
        "#|qc-s>j3_=#M%<ZYQW3wF5QUtGmCWN%`!$2;(ksW|-`!L94?&IZZpQ(ppBwS`9L+_IPMDh<@we^0#Mxs6=Y!I`5|-W!VF_`DRVmb02&uGlr"
        "FU^|Wb$np8DzVM&;>CpM+f#0D=(Cm=9`>STLzRa7Rx9p;|Y}S-^G^9<zKLPLAzuG;5Na((DZ<DgWQO~9Y@9v5Jg8T+fnHIXEK8JfWBX51T)W"
        "Ckbk~=4NAid$Ed5C$tnz#SLyjRV8b??rR$JQlR9{vIc7anl"
    )
)
